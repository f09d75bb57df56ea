// The page of what was seen: machine, parts, bars, and what each part said.

/** Of the issue that asked for it. `of` gives the measured value of each case, or undefined where there is none. */
const BARS = [
  {
    what: "ours beside the bare loop, ResNet-18, float32",
    least: 0.95,
    unit: "×",
    measured: ({ float32 }) => besideBare("ours", float32),
  },
  {
    what: "ours one operation at a time beside the bare loop, ResNet-18, bfloat16",
    least: 0.95,
    unit: "×",
    measured: ({ bfloat16 }) => besideBare("eager", bfloat16),
  },
  {
    what: "ours as one recorded step beside the bare loop, ResNet-18, bfloat16",
    least: 2,
    unit: "×",
    measured: ({ bfloat16 }) => besideBare("ours", bfloat16),
  },
  {
    what: "time of an epoch outside of the backend, ResNet-18, bfloat16",
    most: 3,
    unit: "%",
    measured: ({ bfloat16 }) => 100 * resnet18(bfloat16)?.control.shareOfEpoch,
  },
  {
    what: "small networks whose same run twice has equal bits, under equalBits",
    least: 1,
    unit: "of all",
    measured: ({ equalBits }) => shareOfEqual(equalBits?.cases),
  },
];

const resnet18 = (bench) => bench?.cases.find(({ model }) => model === "resnet18");

/** Samples a second of a loop, as a multiple of the bare one's. */
function besideBare(loop, bench) {
  const rate = (wanted) => resnet18(bench)?.loops.find(({ name }) => name === wanted)?.samplesPerSecond;
  return rate(loop) / rate("bare");
}

const shareOfEqual = (cases) => cases && cases.filter(({ twice }) => twice.equal).length / cases.length;

/** `{ what, measured, expected, verdict }`: reached, missed, or not run. On a CPU no bar is asked about. */
export function barRows(benches, isGpu) {
  return BARS.map(({ what, least, most, unit, measured }) => {
    const value = isGpu ? measured(benches) : undefined;
    const expected = least === undefined ? `at most ${most} ${unit}` : `at least ${least} ${unit}`;
    if (value === undefined || Number.isNaN(value)) return { what, expected, measured: "–", verdict: "not run" };
    const isReached = value >= (least ?? Number.NEGATIVE_INFINITY) && value <= (most ?? Number.POSITIVE_INFINITY);
    return { what, expected, measured: `${value.toFixed(2)} ${unit}`, verdict: isReached ? "reached" : "missed" };
  });
}

/** `passed`, `failed`, `out of time` or `not run`, with what says why. */
export function verdictOf({ skipped, result, limit, expected }) {
  if (skipped !== undefined) return { verdict: "not run", why: skipped };
  if (result.errno === "ABORT_ERR") return { verdict: "out of time", why: `longer than its ${limit} s` };
  const last = result.output.trim().split("\n").at(-1) ?? "";
  if (result.code === 0 && /^\d+ skipped\b/.test(last)) return { verdict: "not run", why: last };
  if (result.code === 0 && expected && !result.output.includes(expected)) {
    return { verdict: "failed", why: `it does not say \`${expected}\`` };
  }
  if (result.code === 0) return { verdict: "passed", why: "" };
  return { verdict: "failed", why: `${result.errno ?? result.signal ?? `exit code ${result.code}`}: ${last}` };
}

export function pageText({ parts, benches, isGpu, command, commit, date }) {
  const machine = (benches.float32 ?? benches.bfloat16)?.machine;
  return [
    "# A first look at a GPU",
    [
      `Command: \`${command}\`, commit ${commit ?? "unknown"}, ${date}.`,
      machine === undefined ? "Nothing was measured." : `${machineText(machine)}.`,
      ...(isGpu ? [] : ["**This was a CPU: it shows that the parts run, and nothing about a GPU.**"]),
    ].join("\n"),
    table(
      ["part", "verdict", "seconds", "why"],
      parts.map((part) => [part.name, part.verdict, part.seconds.toFixed(0), part.why]),
    ),
    table(
      ["bar", "expected", "measured", "verdict"],
      barRows(benches, isGpu).map((row) => [row.what, row.expected, row.measured, row.verdict]),
    ),
    ...parts
      .filter(({ output }) => output)
      .map(({ name, output }) => `## ${name}\n\n\`\`\`\n${shortened(output)}\n\`\`\``),
  ].join("\n\n");
}

const MOST_LINES = 150;

function shortened(output) {
  const lines = output.trimEnd().split("\n");
  const left = lines.length - MOST_LINES;
  return left <= 0 ? lines.join("\n") : [`… ${left} lines …`, ...lines.slice(left)].join("\n");
}

function machineText({ deviceName, device, processor, cores, versions }) {
  const rest = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${deviceName} (${device}), ${processor} with ${cores} cores, ${rest.join(", ")}`;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
