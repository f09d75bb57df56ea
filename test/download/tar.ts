import { gzipSync } from "node:zlib";

export interface TarMember {
  readonly path: string;
  readonly content?: Buffer;
  /** "0" a file, "2" a symbolic link, "5" a directory … */
  readonly type?: string;
  readonly linkTo?: string;
  readonly magic?: string;
  readonly prefix?: string;
}

const BLOCK = 512;

/** A tar file as GNU tar writes it, with every detail in the caller's hand. */
export function tar(members: readonly TarMember[]): Buffer {
  return Buffer.concat([...members.flatMap(blocksOf), Buffer.alloc(2 * BLOCK)]);
}

export const tarGz = (members: readonly TarMember[]): Buffer => gzipSync(tar(members));

function blocksOf(member: TarMember): Buffer[] {
  const { content = Buffer.alloc(0) } = member;
  return [header(member, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}

function header({ path, type = "0", linkTo = "", magic = "ustar  ", prefix = "" }: TarMember, length: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  const fields: readonly (readonly [number, string])[] = [
    [0, path],
    [100, `${octal(0o644, 7)}\0`],
    [108, `${octal(0, 7)}\0`],
    [116, `${octal(0, 7)}\0`],
    [124, `${octal(length, 11)}\0`],
    [136, `${octal(0, 11)}\0`],
    [148, " ".repeat(8)],
    [156, type],
    [157, linkTo],
    [257, magic],
    [345, prefix],
  ];
  for (const [offset, text] of fields) block.write(text, offset, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return block;
}
