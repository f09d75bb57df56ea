/** Progress on standard error: lines redrawn on a terminal, plain lines elsewhere. */
import { stderr } from "node:process";
import type { createLogUpdate } from "log-update";
import type { Observer, ResumedFrom, RunOutcome, RunPlace } from "../experiment/observer.js";
import type { EpochMetrics } from "../record/epoch-metrics.js";
import { lossText } from "../results/summary-text.js";
import { note } from "./note.js";
import { Pace } from "./pace.js";
import { widthOf } from "./width.js";

export interface Progress {
  /** `log` gets what happens, for the record's log. */
  observer(log: (line: string) => void): Observer;
  /** Leaves the terminal clean; may be called twice. */
  end(): void;
}

const widthHere = (): number => widthOf(stderr);

/** How progress is shown, of what has this name. The package that redraws lines is loaded where there is a terminal. */
export async function chooseProgress({ quiet }: { quiet: boolean }): Promise<(name: string) => Progress> {
  if (quiet) return () => new LoggedOnly();
  if (!stderr.isTTY || process.env.NO_COLOR !== undefined || process.env.TERM === "dumb") return () => new PlainLines();
  const { createLogUpdate } = await import("log-update");
  return (name) => new RedrawnLines(name, createLogUpdate(stderr, { showCursor: true }));
}

class LoggedOnly implements Progress {
  observer(log: (line: string) => void): Observer {
    return {
      runStarted: (...event) => log(started(...event)),
      runEnded: (...event) => log(ended(...event)),
    };
  }
  end(): void {}
}

const SECONDS_BETWEEN_EPOCHS = 5;
/** So long may nothing be said. */
const SECONDS_OF_SILENCE = 30;

/** For logs and pipes: each run's start and end, and between them a line now and then. */
class PlainLines implements Progress {
  observer(log: (line: string) => void): Observer {
    const pace = new Pace();
    let lastLine = performance.now();
    const isSilentFor = (seconds: number) => performance.now() - lastLine > 1000 * seconds;
    const say = (line: string) => {
      note(line);
      lastLine = performance.now();
    };
    return {
      noted: say,
      runStarted: (place, from) => {
        pace.started(place, from);
        log(started(place, from));
        say(started(place, from, widthHere()));
      },
      trained: (place, progress) => {
        pace.trained(place, progress);
        if (isSilentFor(SECONDS_OF_SILENCE)) say(oneLine(place, trainedParts(place, progress, pace), widthHere()));
      },
      epochEnded: (place, metrics) => {
        const isLast = metrics.epoch + 1 === place.epochs; // told by the run's own line
        if (!isLast && isSilentFor(SECONDS_BETWEEN_EPOCHS))
          say(oneLine(place, epochParts(place, metrics), widthHere()));
      },
      runEnded: (place, outcome) => {
        pace.ended(place, outcome);
        log(ended(place, outcome));
        say(ended(place, outcome, widthHere()));
      },
    };
  }
  end(): void {}
}

type Trained = Parameters<NonNullable<Observer["trained"]>>[1];

const REDRAWS_A_SECOND = 10;
const BAR_WIDTH = 20;

/** Runs under way that have a line of their own; of more, how many there are. */
const MOST_RUNS_SHOWN = 16;

/** For terminals: what runs now, how fast, and how long it will take; ended runs stay above it. */
class RedrawnLines implements Progress {
  readonly #name: string;
  readonly #draw: ReturnType<typeof createLogUpdate>;
  #pace = new Pace();
  /** What is said of each run under way, by its number. */
  readonly #underWay = new Map<number, readonly string[]>();
  #drawnAt = 0;

  constructor(name: string, draw: ReturnType<typeof createLogUpdate>) {
    this.#name = name;
    this.#draw = draw;
    this.#draw(`${name}: starting the backend …`);
  }

  observer(log: (line: string) => void): Observer {
    const say = (line: string) => {
      this.#draw.clear();
      note(line);
    };
    this.#pace = new Pace(); // runs begin now: what came before was the backend's start
    return {
      noted: say,
      runStarted: (place, from) => {
        log(started(place, from));
        if (from !== undefined) say(started(place, from, widthHere()));
        this.#pace.started(place, from);
      },
      trained: (place, progress) => {
        this.#pace.trained(place, progress);
        const epoch = `epoch ${numberOf(progress.epoch, place)}`;
        this.#underWay.set(place.number, [label(place), epoch, `train loss ${lossText(progress.loss)}`]);
        this.#redraw(place);
      },
      runLeft: ({ number }) => void this.#underWay.delete(number),
      runEnded: (place, outcome) => {
        this.#pace.ended(place, outcome);
        this.#underWay.delete(place.number);
        log(ended(place, outcome));
        say(ended(place, outcome, widthHere()));
      },
    };
  }

  #redraw(place: RunPlace): void {
    if (performance.now() - this.#drawnAt < 1000 / REDRAWS_A_SECOND) return;
    this.#drawnAt = performance.now();
    this.#draw(this.#lines(place).join("\n"));
  }

  /** One of all, and where several runs are under way one of each. */
  #lines(place: RunPlace): string[] {
    const pace = this.#pace;
    const all = [`${this.#name} ${bar(pace.shareOf(place))}`, `${duration(pace.secondsLeft(place))} left`];
    const runs = [...this.#underWay].sort(([a], [b]) => a - b).map(([, parts]) => parts);
    const width = widthHere();
    if (runs.length === 1) return [fit([...all, ...runs[0], pace.speed], width)];
    const more = runs.length - MOST_RUNS_SHOWN;
    return [
      fit([...all, pace.speed], width),
      ...runs.slice(0, MOST_RUNS_SHOWN).map(([first, ...rest]) => fit([`  ${first}`, ...rest], width)),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ];
  }

  end(): void {
    this.#draw.clear();
    this.#draw.done();
  }
}

/** From 1, of how many where that is known. */
const numberOf = (epoch: number, { epochs }: RunPlace): string =>
  epochs === undefined ? `${epoch + 1}` : `${epoch + 1}/${epochs}`;

const label = ({ arm, seed, number, total }: RunPlace): string => `[${number + 1}/${total}] ${arm}, seed ${seed}`;

function started(place: RunPlace, from: ResumedFrom | undefined, width?: number): string {
  const text =
    from === undefined ? "started" : `goes on from step ${from.step}, in epoch ${numberOf(from.epoch, place)}`;
  return oneLine(place, [{ text, rank: 0 }], width);
}

/** An error is told whole, in as many lines as it takes. */
function ended(place: RunPlace, { state, kept, error, divergedAtStep, last }: RunOutcome, width?: number): string {
  const how = `${kept ? "kept, " : ""}${state}${divergedAtStep === undefined ? "" : ` at step ${divergedAtStep}`}`;
  if (error !== undefined) return `${label(place)}  ${how}: ${error}`;
  return oneLine(place, last === undefined ? [] : epochParts(place, last), width, how);
}

interface LinePart {
  readonly text: string;
  /** Where the width is short the highest go first; 0 stays. */
  readonly rank: number;
}

/** In one line of so many columns: fewer parts, and at last an arm's name that is cut. */
function oneLine(
  place: RunPlace,
  parts: readonly LinePart[],
  width = Number.POSITIVE_INFINITY,
  how: string | undefined = undefined,
): string {
  const told = [...(how === undefined ? [] : [how]), parts.map(({ text }) => text).join(", ")].filter(
    (one) => one !== "",
  );
  const line = `${label(place)}  ${told.join(": ")}`;
  if (line.length <= width) return line;
  const highest = Math.max(0, ...parts.map(({ rank }) => rank));
  const kept = parts.filter(({ rank }) => rank < highest);
  if (highest > 0) return oneLine(place, kept, width, how);
  const length = place.arm.length - (line.length - width) - 1;
  if (length < 1) return line.slice(0, width);
  return line.replace(place.arm, () => `${place.arm.slice(0, length)}…`);
}

function epochParts(place: RunPlace, { epoch, train, test, validation }: EpochMetrics): LinePart[] {
  const loss = typeof train.loss === "number" ? lossText(train.loss) : train.loss;
  const [part, looked] = test === undefined ? ["validation", validation] : ["test", test];
  const accuracy = looked && { text: `${part} accuracy ${(100 * looked.accuracy).toFixed(2)} %`, rank: 1 };
  return [
    { text: `epoch ${numberOf(epoch, place)}`, rank: 3 },
    { text: `train loss ${loss}`, rank: 2 },
    ...(accuracy === undefined ? [] : [accuracy]),
  ];
}

const trainedParts = (place: RunPlace, { epoch, share, loss }: Trained, pace: Pace): LinePart[] => [
  { text: `epoch ${numberOf(epoch, place)}`, rank: 3 },
  { text: `${Math.floor(100 * share)} % of the run`, rank: 1 },
  { text: `train loss ${lossText(loss)}`, rank: 4 },
  { text: pace.speed, rank: 2 },
];

function bar(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${Math.floor(100 * share)} %`;
}

/** As many parts as fit on a line, the first ones first; something of the first one always. */
export function fit([first, ...rest]: readonly string[], columns: number): string {
  let line = first.slice(0, columns);
  for (const part of rest) {
    if (`${line} · ${part}`.length > columns) break;
    line = `${line} · ${part}`;
  }
  return line;
}

/** As 1:05:09 or 5:09. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
