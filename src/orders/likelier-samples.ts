/** Whether some samples were drawn more often than others, by their losses or their classes. */
import { countClasses } from "../kernels/classes.js";

/** A group must be drawn by so much more often, */
const RATIO = 1.5;
/** and by so many standard deviations, for chance not to be taken for it. */
const DEVIATIONS = 5;

/**
 * Which samples were drawn more often than the others, in words; undefined where none were, as far as that can be seen.
 * `draws`, `labels`, `losses`: one a sample; a loss is NaN where it was never seen.
 */
export function likelierSamples(
  draws: Readonly<Uint32Array>,
  labels: Readonly<Uint32Array>,
  losses: Readonly<Float32Array>,
  eligible: Readonly<Uint32Array>,
): string | undefined {
  const known = eligible.filter((index) => !Number.isNaN(losses[index]));
  const sorted = known.slice().sort((a, b) => losses[a] - losses[b]);
  const median = losses[sorted[sorted.length >> 1]];
  const counts = countClasses(eligible, labels, labels.reduce((most, label) => Math.max(most, label), 0) + 1);
  const largest = counts.indexOf(Math.max(...counts));
  return (
    unevenness(draws, known, (index) => losses[index] > median, ["samples of high losses", "samples of low losses"]) ??
    unevenness(draws, eligible, (index) => labels[index] !== largest, [
      "samples of rare classes",
      "samples of the largest class",
    ])
  );
}

function unevenness(
  draws: Readonly<Uint32Array>,
  samples: Readonly<Uint32Array>,
  isFirst: (index: number) => boolean,
  [first, second]: readonly [string, string],
): string | undefined {
  const drawn = [0, 0];
  const count = [0, 0];
  for (const index of samples) {
    const group = isFirst(index) ? 0 : 1;
    drawn[group] += draws[index];
    count[group] += 1;
  }
  const smaller = count[0] < count[1] ? 0 : 1;
  const expected = ((drawn[0] + drawn[1]) * count[smaller]) / samples.length;
  if (Math.abs(drawn[smaller] - expected) <= DEVIATIONS * Math.sqrt(expected)) return undefined;
  const ratio = drawn[0] / count[0] / (drawn[1] / count[1]);
  if (ratio > RATIO) return `${first} drawn ${times(ratio)} as often as ${second}, without weights`;
  if (ratio < 1 / RATIO) return `${second} drawn ${times(1 / ratio)} as often as ${first}, without weights`;
  return undefined;
}

const times = (ratio: number): string => (Number.isFinite(ratio) ? `${ratio.toFixed(1)} times` : "infinitely");
