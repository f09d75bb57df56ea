// What a command said of its runs, line by line.
const BEGINS = /\] (?<arm>\S+), seed \d+ {2}(?:started|goes on from step (?<step>\d+), .*)$/;
const ENDS = /\] (?<arm>\S+), seed \d+ {2}(?<how>done|diverged|failed|interrupted)\b.*$/;
const RESTART = /; restart \d+ of \d+$/;
const INTERRUPTED =
  /^(?<arm>\S+), seed \d+: interrupted at step (?<step>\d+); (?:will go on from step (?<from>\d+)|.*)$/;
/** The backend was lost before any run had begun. */
const TRIED = /when it was tried: the backend /;

/** Of a line that says that a run begins, or goes on from a step: its arm, and that step. */
export function begins(line) {
  const { arm, step } = BEGINS.exec(line)?.groups ?? {};
  return arm && { arm, step: step === undefined ? undefined : Number(step) };
}

/** The arm of the run that is under way; undefined between runs. */
export function underWay(lines) {
  const last = lines.findLast((line) => BEGINS.test(line) || ENDS.test(line));
  return last === undefined ? undefined : begins(last)?.arm;
}

/** Of a line that says where a run was interrupted: its arm, that step, and the one from which it will go on. */
export function interrupted(line) {
  const { arm, step, from } = INTERRUPTED.exec(line)?.groups ?? {};
  return arm && { arm, step: Number(step), from: from === undefined ? undefined : Number(from) };
}

/** What became of a backend that was lost: `restarted`, `tried` (no run had begun), or how which arm's run ended. */
export function afterLoss(line) {
  if (RESTART.test(line)) return { how: "restarted" };
  if (TRIED.test(line)) return { how: "tried" };
  const { arm, how } = ENDS.exec(line)?.groups ?? {};
  return how && { how, arm, line };
}

/** How often another backend was started in place of one that was lost. */
export const replacements = (lines) => lines.filter((line) => RESTART.test(line) || TRIED.test(line)).length;

/** Arm → the steps that its run has gone on from since it last began at its beginning. */
export function resumedSteps(lines) {
  const steps = new Map();
  for (const { arm, step } of lines.map(begins).filter(Boolean))
    steps.set(arm, step === undefined ? [] : [...(steps.get(arm) ?? []), step]);
  return steps;
}

/**
 * Lines that say which runs did not go on as they must: arm → step, undefined where it begins anew. Where the command is
 * not `done` it may not have come to all of them.
 */
export function goneOnElsewhere(expected, lines, isDone) {
  return [...expected].flatMap(([arm, step]) => {
    const began = lines.map(begins).find((one) => one?.arm === arm);
    if (began === undefined ? !isDone : began.step === step) return [];
    const how = began === undefined ? "did not go on" : `went on from step ${began.step ?? 0}`;
    return [`${arm} ${how}, expected step ${step ?? 0}`];
  });
}
