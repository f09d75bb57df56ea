/** Sequences that are equal, also where one is turned against the other: whichever seeds and epochs they are of. */
import { createHash } from "node:crypto";
import { nameOf, type Sequence, type Sequences } from "./sequences.js";

/** Shorter ones may be equal by chance. */
const LEAST_LENGTH = 20;

export interface Repeat {
  readonly sequence: Sequence;
  /** The first that it equals. */
  readonly of: Sequence;
  /** By so many places. */
  readonly turnedBy: number;
}

export function repeats({ all }: Sequences): Repeat[] {
  const first = new Map<string, Turned>();
  return all.flatMap((sequence) => {
    if (sequence.indices.length < LEAST_LENGTH) return [];
    const turned = turnedToLeast(sequence);
    const before = first.get(turned.hash);
    if (before === undefined) {
      first.set(turned.hash, turned);
      return [];
    }
    const { length } = sequence.indices;
    return [{ sequence, of: before.sequence, turnedBy: (turned.from - before.from + length) % length }];
  });
}

export const repeatText = ({ sequence, of, turnedBy }: Repeat): string =>
  `${nameOf(sequence)} equals ${nameOf(of)}${turnedBy === 0 ? "" : `, turned by ${turnedBy} places`}`;

interface Turned {
  readonly sequence: Sequence;
  /** Where its smallest index is. */
  readonly from: number;
  /** Of the sequence that begins there. */
  readonly hash: string;
}

function turnedToLeast(sequence: Sequence): Turned {
  const { indices } = sequence;
  const from = indices.indexOf(indices.reduce((least, index) => Math.min(least, index), indices[0]));
  const hash = createHash("sha256").update(indices.subarray(from)).update(indices.subarray(0, from)).digest("hex");
  return { sequence, from, hash };
}
