import { validationError } from './service-error';
import { checkShape } from './validation';

/** Service default when the caller names none (5.2). */
const DEFAULT_PAGE = 10;

export interface Page<T> { items: T[]; nextToken: string | null }

/**
 * One page of a list. The filter applies after paging, so a page may be empty and still carry a token (4.4).
 * The token is URL-safe base64 with its padding, which callers must encode.
 */
export function page<T>(all: readonly T[], query: Record<string, string | string[]>, filter: (item: T) => boolean = () => true): Page<T> {
  const maxResults = query.maxResults === undefined ? DEFAULT_PAGE : Number(query.maxResults);
  checkShape('Page', { maxResults });
  const start = query.nextToken === undefined ? 0 : decode(String(query.nextToken));
  const end = start + maxResults;
  return { items: all.slice(start, end).filter(filter), nextToken: end < all.length ? encode(end) : null };
}

function encode(offset: number): string {
  // The length of this text is never a multiple of three, so the base64 always ends in padding.
  const text = `offset=${String(offset).padStart(6, '0')}`;
  return Buffer.from(text).toString('base64').replace(/\+/g, '-').replace(/\//g, '_');
}

function decode(token: string): number {
  const match = /^offset=(\d{6})$/.exec(Buffer.from(token, 'base64url').toString());
  if (!match || !token.endsWith('=')) {
    throw validationError('Invalid nextToken');
  }
  return Number(match[1]);
}
