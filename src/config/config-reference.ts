/** docs/CONFIG.md: every key of a config, made from the schema and the tables, so that it cannot say anything else. */
import { z } from "zod";
import { markdown } from "../markdown-table.js";
import { armSchema, datasetReference, lossReference, modelReference } from "./arm-schema.js";
import { backendChoices, type Catalogue, type Choice, ownChoices } from "./choices.js";
import { commonSchema } from "./common-schema.js";
import { describeOptions, type OptionDescription } from "./option-description.js";

const INTRODUCTION = `# Config reference

Made by \`npm run docs\` from the schema that checks configs; a test holds the two equal.

A config is YAML. This is a whole one:

\`\`\`yaml
name: small
dataset: { name: digits, subset: 500 }
model: mnist-cnn
optimizer: { name: sgd, momentum: 0.9 }
schedule: { name: constant, learningRate: 0.02 }
batching: { name: constant, size: 32 }
epochs: 2
seeds: 2
arms:
  shuffled: { order: shuffled }
  frozen: { order: { name: frozen, sequence: shuffled } }
\`\`\`

- Each of \`dataset\`, \`model\`, \`optimizer\`, \`schedule\`, \`batching\` and \`order\` names something. Its options stand beside the
  name; without options the name alone will do.
- \`arms\` maps an arm's name to what differs from the rest. A section that names the same thing is completed, one that names
  another is replaced.
- \`--set a.b=c\` on the command line takes the same paths, for instance \`--set arms.frozen.epochs=3\`. What it
  says takes the place of a key of the file that excludes it: \`budget.updates\` that of \`budget.samples\`.
- Unknown keys are refused, but for those at the top that begin with \`x-\`. They are yours, to put anchors in.
`;

const TUNING = `Before \`tune\` is used:

- Intervals and p are of the chosen rates: that other seeds may choose other rates is not in them. Of two arms that are alike at each
  rate, tests at 5 % claimed a difference in 12 % of simulated experiments with 3 tuning seeds, in 8 % with 5, in 6 % with 9 and in 5 % with 30 (9 seeds
  under test; more of these make it worse; where two rates are close it is up to 9 % with 9 tuning seeds). Tune with as many seeds as are
  under test, or more. A note names each arm whose best two rates are within noise of each other: raise \`tune.seeds\`, or take the claim for one of that rate alone.
- Runs to tune by have fewer samples by the share \`validation\`, so fewer updates an epoch, for which another rate may be the best than for all samples. Keep it small.
- A control (a placebo, growing sizes without their rates) is tuned by itself, as every arm is. Its difference from the arm that it controls is then one of their
  two rates, too, and a note says where they differ. To take a method apart give both one rate, without \`tune\`.
`;

const REFERENCES = `## Your own

\`dataset\` and \`model\` may stand for a callable of yours, as \`loss\` does: \`model: { reference: "package.module:callable", args: { … } }\`.
Importing runs code, so the module must be allowed by name (\`--allow-import package.module\`, or a package above it).
\`--python-path DIR\` says where it lies.

What is allowed is that module's own. Each module on the way of a reference, and the module that the callable says it is from, must be an allowed
one or below one: \`team.models:os.system\` is refused where \`team.models\` imports \`os\`, and so is a method, a partial or an alias of what is from elsewhere.
What an allowed module passes on from another package is its own where its \`__all__\` names it: for \`team.models:ResNet\`, imported from torchvision,
write \`__all__ = ["ResNet"]\` there, or allow torchvision, too. Names with a \`_\` before them are refused. What the module's own functions do with
the arguments is theirs: allow the narrowest module that has what you need.

The callable of a dataset, called with \`args\`, returns \`(train, test)\`, or a map with \`train\`, \`test\` and, where they are known,
\`class_names\`, \`mean\`, \`std\`. With \`testArgs\` it returns the training part alone; called once more, with both, it returns the
test part. A part is \`(images, labels)\`, NumPy arrays or tensors, or a map-style \`torch.utils.data.Dataset\` of \`(image, label)\`:

| | of an array | of an item |
|---|---|---|
| images, bytes | uint8 [n, H, W] or [n, H, W, C], C from 1 to 4: normalised by \`mean\` and \`std\`, those of the training part where none are given | the same without n, or a PIL image |
| images, floating | [n, C, H, W]: the model gets them as they are, as float32 | the same without n |
| labels | integers 0 … classes−1 | one of them |

An item must be the same whenever it is read.
`;

export function configReference(catalogue: Catalogue): string {
  const all = { ...ownChoices(), ...backendChoices(catalogue) };
  const parts = Object.entries(all).map(([kind, choices]) => `## ${kind}\n\n${choices.map(renderChoice).join("\n")}`);
  return [
    INTRODUCTION,
    `## Keys of the experiment\n\n${optionTable(flatten(commonSchema))}`,
    TUNING,
    `## Keys that an arm may override\n\n${optionTable(flatten(armSchema))}`,
    REFERENCES,
    `### dataset by reference\n\n${optionTable(flatten(datasetReference))}`,
    `### model by reference\n\n${optionTable(flatten(modelReference))}`,
    `### loss by reference\n\n${optionTable(flatten(lossReference))}`,
    ...parts,
  ].join("\n");
}

/** Options of nested sections under their paths; a section that may be null has a line of its own before them. */
function flatten(schema: z.ZodObject, prefix = ""): OptionDescription[] {
  return describeOptions(schema).flatMap((option) => {
    const value = schema.shape[option.name];
    const inner = sectionOf(value);
    const name = `${prefix}${option.name}`;
    const itself = inner === undefined || value.safeParse(null).success ? [{ ...option, name }] : [];
    return [...itself, ...(inner === undefined ? [] : flatten(inner, `${name}.`))];
  });
}

function sectionOf(schema: unknown): z.ZodObject | undefined {
  const isAround = schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable;
  if (isAround) return sectionOf(schema.unwrap());
  return schema instanceof z.ZodObject ? schema : undefined;
}

function renderChoice({ name, summary, whenToChoose, options }: Choice): string {
  const table = options.length === 0 ? "" : `\n${optionTable(options)}`;
  return `### ${name}\n\n${summary} Choose it: ${whenToChoose}\n${table}`;
}

const optionTable = (options: readonly OptionDescription[]): string =>
  markdown(
    ["key", "type", "default", "meaning"],
    options.map(({ name, type, needed, default: fallback, help }) => [
      `\`${name}\``,
      type.replaceAll("|", "\\|"),
      needed ? "needed" : fallback === undefined ? "" : `\`${JSON.stringify(fallback)}\``,
      help.replaceAll("|", "\\|"),
    ]),
    "left",
  );
