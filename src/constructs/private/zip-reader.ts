import * as fs from 'fs';
import { inflateRawSync } from 'zlib';

const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
const CENTRAL_FILE_HEADER = 0x02014b50;
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/**
 * The text of one file at the root of a zip archive, or undefined when the archive has no such file.
 *
 * Reads the directory at the end of the archive and that one file, whatever the size of the rest.
 *
 * @throws Error saying what is wrong, when the file is no zip archive.
 */
export function readFromZip(archive: string, name: string): string | undefined {
  const fd = fs.openSync(archive, 'r');
  try {
    const entry = findEntry(readDirectory(fd), name);
    return entry && readEntry(fd, entry);
  } finally {
    fs.closeSync(fd);
  }
}

interface Entry {
  readonly method: number;
  readonly compressedSize: number;
  readonly headerOffset: number;
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

function findEntry(directory: Buffer, name: string): Entry | undefined {
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === CENTRAL_FILE_HEADER;) {
    const nameLength = directory.readUInt16LE(at + 28);
    if (directory.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      return {
        method: directory.readUInt16LE(at + 10),
        compressedSize: directory.readUInt32LE(at + 20),
        headerOffset: directory.readUInt32LE(at + 42),
      };
    }
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return undefined;
}

function readEntry(fd: number, entry: Entry): string {
  // The local header repeats the name and has an extra field of its own length.
  const header = read(fd, entry.headerOffset, 30);
  const start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const content = read(fd, start, entry.compressedSize);
  switch (entry.method) {
    case STORED: return content.toString('utf8');
    case DEFLATED: return inflateRawSync(content).toString('utf8');
    default: throw new Error(`its Dockerfile is compressed with method ${entry.method}, not stored or deflated`);
  }
}

function read(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, position));
}
