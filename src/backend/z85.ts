/** Z85 (ZeroMQ's RFC 32): how its keys are written, 5 characters for each 4 bytes. */

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const BASE = 85;

/** `bytes`: a multiple of 4 of them. */
export function z85(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let word = bytes.readUInt32BE(at);
    let group = "";
    for (let digit = 0; digit < 5; digit++) {
      group = ALPHABET.charAt(word % BASE) + group;
      word = Math.floor(word / BASE);
    }
    text += group;
  }
  return text;
}

/** The bytes; undefined where it is no such text. */
export function fromZ85(text: string): Buffer | undefined {
  if (text.length % 5 !== 0) return undefined;
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let at = 0; at < text.length; at += 5) {
    const digits = [...text.slice(at, at + 5)].map((character) => ALPHABET.indexOf(character));
    const word = digits.reduce((sum, digit) => sum * BASE + digit, 0);
    if (digits.includes(-1) || word >= 2 ** 32) return undefined;
    bytes.writeUInt32BE(word, (at / 5) * 4);
  }
  return bytes;
}
