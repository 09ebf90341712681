import { Tag } from '../contract';
import { ImageView } from './service-port';

/** Before the owner, on an image that a failed create left behind: its own resource may repair it, any other adopt it. */
export const RETAINED = 'retained/';

export function isOwn(image: ImageView, request: { readonly owner: string }): boolean {
  return [request.owner, RETAINED + request.owner].includes(image.tags[Tag.OWNER]);
}

/** Only this resource can have been its owner. */
export function lostItsOwner(image: ImageView, request: { readonly isNew: boolean; readonly stack: string }): boolean {
  return image.tags[Tag.OWNER] === undefined && (!request.isNew || image.tags[Tag.STACK] === request.stack);
}

/** Nobody's: never owned, released, or left behind. */
export function isAbandoned(image: ImageView): boolean {
  return image.tags[Tag.OWNER] === undefined || image.tags[Tag.OWNER].startsWith(RETAINED);
}
