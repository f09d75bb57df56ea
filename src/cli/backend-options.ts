/** The options that every command with a backend has. */
import { text, texts, textsOrNone } from "./command-option.js";

export const backendOptions = {
  data: text("DIR", "directory of the data files, on the backend's side (default: IBATCH_DATA, else ./data)"),
  python: text("PATH", "Python to run the backend with (default: IBATCH_PYTHON, else .venv)"),
  device: text("D", "auto, cpu or cuda:N"),
  backend: textsOrNone("URL", "use the backend that runs at this control endpoint, instead of starting one"),
  keys: text(
    "DIR",
    "directory with client.key_secret and server.key of `ibatch keys`, for --backend (default: IBATCH_KEYS)",
  ),
};

/** Of commands that run what a config's references name. */
export const userCodeOptions = {
  allowImport: texts(
    "MODULE",
    "a module of yours, with its submodules, that references may name: it runs code; may be repeated",
    { pattern: /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, expected: "expected a module, as team.models" },
  ),
  pythonPath: texts("DIR", "look for your modules in this directory, too; may be repeated"),
};
