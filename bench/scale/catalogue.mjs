// What the pretended backends say that they can open: enough for the config of this benchmark.
const entry = (name, options = {}) => ({ name, summary: name, whenToChoose: "", options });
const share = { type: "float", default: 0, help: "", choices: null, minimum: 0, maximum: null };

export const catalogue = {
  models: [entry("mnist-cnn")],
  datasets: [entry("mnist")],
  optimizers: [entry("sgd", { momentum: share })],
};
