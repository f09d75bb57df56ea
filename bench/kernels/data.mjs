// The keys: distributed as losses roughly are, exponentially. peer.py makes its own from the same law.
import { random } from "../../dist/kernels/random.js";

let losses = new Float32Array(0);

export function lossesOf(n) {
  if (losses.length !== n) {
    const numbers = random(0, "noise", n);
    losses = Float32Array.from({ length: n }, () => -Math.log(1 - numbers.uniform()));
  }
  return losses;
}

export function classesOf(n, classCount) {
  const numbers = random(1, "noise", n);
  return Uint32Array.from({ length: n }, () => numbers.below(classCount));
}
