// What a backend says that it can open, in small: every type of option is there.
import type { Catalogue, CatalogueEntry, CatalogueOption } from "../../src/backend/messages.js";

const option = (
  type: CatalogueOption["type"],
  fallback: unknown,
  limits: Partial<Pick<CatalogueOption, "choices" | "minimum" | "maximum">> = {},
): CatalogueOption => ({ type, default: fallback, help: "", choices: null, minimum: null, maximum: null, ...limits });

const entry = (name: string, options: CatalogueEntry["options"] = {}): CatalogueEntry => ({
  name,
  summary: `${name} in one line`,
  whenToChoose: "in tests",
  options,
});

const padding = option("str", "none", { choices: ["none", "same"] });
const weightDecay = option("float", 0, { minimum: 0 });

export const catalogue: Catalogue = {
  models: [
    entry("mnist-cnn", { padding, dropout: option("float", 0.5, { minimum: 0, maximum: 0.99 }) }),
    entry("fashion-mnist-cnn", { padding }),
    entry("resnet18", { width: option("int", 64, { minimum: 1 }) }),
  ],
  datasets: ["digits", "mnist", "fashion-mnist", "cifar10", "cifar100"].map((name) => entry(name)),
  optimizers: [
    entry("sgd", { momentum: option("float", 0, { minimum: 0 }), weightDecay, nesterov: option("bool", false) }),
    entry("adam", { beta1: option("float", 0.9), weightDecay }),
  ],
};
