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
