/** PNG (ISO/IEC 15948) of small pictures, 8 bits a channel. */
import { constants, crc32, deflateSync } from "node:zlib";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1: grey; 3: red, green, blue. */
  readonly channels: 1 | 3;
  /** [height, width, channels] */
  readonly pixels: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOR_TYPES = { 1: 0, 3: 2 } as const;

/** Runs of equal bytes alone are packed: what zlib finds beyond them differs between processors, and pages are equal by bytes. */
const PACKING = { level: 9, strategy: constants.Z_RLE };

export function encodePng({ width, height, channels, pixels }: Picture): Buffer {
  const stride = width * channels;
  if (pixels.length !== stride * height) {
    throw new Error(`${pixels.length} bytes are no picture of ${width} × ${height} pixels in ${channels} channels`);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, COLOR_TYPES[channels]], 8); // then: deflate, adaptive filters, not interlaced, all 0
  const rows = Buffer.alloc((stride + 1) * height); // each begins with its filter: 0, none
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, PACKING)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(content.length, 0);
  framed.set(typed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}

export const pngUri = (picture: Picture): string => `data:image/png;base64,${encodePng(picture).toString("base64")}`;
