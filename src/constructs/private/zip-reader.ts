import * as fs from 'fs';
import { constants, inflateRawSync } from 'zlib';

const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
const CENTRAL_FILE_HEADER = 0x02014b50;
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/** A file in a zip archive. It can be read while the archive is open. */
export interface ZipEntry {
  readonly name: string;
  /** Of its content. */
  readonly size: number;
  text(): string;
  /** Its first bytes, or nothing when they cannot be read. */
  head(bytes: number): Buffer;
}

/**
 * The text of one file at the root of a zip archive, or undefined when the archive has no such file.
 *
 * Reads the directory at the end of the archive and that one file, whatever the size of the rest.
 *
 * @throws Error saying what is wrong, when the file is no zip archive.
 */
export function readFromZip(archive: string, name: string): string | undefined {
  return readZip(archive, (entries) => entries.find((entry) => entry.name === name)?.text());
}

/** Opens an archive for as long as its files are looked at. */
export function readZip<T>(archive: string, look: (entries: ZipEntry[]) => T): T {
  const fd = fs.openSync(archive, 'r');
  try {
    return look(entriesOf(fd, readDirectory(fd)));
  } finally {
    fs.closeSync(fd);
  }
}

function readDirectory(fd: number): Buffer {
  const size = fs.fstatSync(fd).size;
  const tail = read(fd, Math.max(0, size - END_SIZE - MAX_COMMENT), Math.min(size, END_SIZE + MAX_COMMENT));
  for (let at = tail.length - END_SIZE; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END_OF_CENTRAL_DIRECTORY) {
      return read(fd, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12));
    }
  }
  throw new Error('it has no central directory');
}

/** Its files, not its folders. */
function entriesOf(fd: number, directory: Buffer): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === CENTRAL_FILE_HEADER;) {
    const nameLength = directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const method = directory.readUInt16LE(at + 10);
    const compressedSize = directory.readUInt32LE(at + 20);
    const headerOffset = directory.readUInt32LE(at + 42);
    const content = (bytes: number) => readContent(fd, headerOffset, Math.min(bytes, compressedSize));
    if (!name.endsWith('/')) {
      entries.push({
        name,
        size: directory.readUInt32LE(at + 24),
        text: () => decompress(content(compressedSize), method).toString('utf8'),
        head: (bytes) => headOf(content, method, bytes),
      });
    }
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

function readContent(fd: number, headerOffset: number, length: number): Buffer {
  // The local header repeats the name and has an extra field of its own length.
  const header = read(fd, headerOffset, 30);
  const start = headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  return read(fd, start, length);
}

function decompress(content: Buffer, method: number): Buffer {
  switch (method) {
    case STORED: return content;
    case DEFLATED: return inflateRawSync(content);
    default: throw new Error(`its Dockerfile is compressed with method ${method}, not stored or deflated`);
  }
}

/** Inflates the beginning alone, in little memory whatever the archive claims. */
function headOf(content: (bytes: number) => Buffer, method: number, bytes: number): Buffer {
  try {
    switch (method) {
      case STORED: return content(bytes);
      case DEFLATED: return inflateRawSync(content(bytes), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 16 * bytes }).subarray(0, bytes);
      default: return Buffer.alloc(0);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

function read(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, position));
}
