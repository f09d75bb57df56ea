/** What a client proves itself with at an endpoint, from what the user has said and has. */
import { type Credentials, NO_CREDENTIALS, publicKeyOf } from "../backend/credentials.js";
import { addressOf, isLoopback, isTcp } from "../backend/endpoint.js";
import { usageError } from "../errors.js";
import { readClientKeys } from "../record/key-files.js";
import { userToken } from "../record/user-token.js";

/**
 * `keys`: a directory of `ibatch keys`; IBATCH_KEYS when left out.
 * @throws IbatchError where they cannot be used, or there are none and the endpoint is on another machine.
 */
export function credentialsFor(endpoint: string, keys = process.env.IBATCH_KEYS): Credentials {
  addressOf(endpoint); // refuses what is none
  if (!isTcp(endpoint)) return NO_CREDENTIALS;
  if (keys) return { kind: "curve", keys: readClientKeys(keys, publicKeyOf), from: keys };
  if (isLoopback(endpoint)) return { kind: "token", ...userToken() };
  throw usageError(
    `backend ${endpoint} is beyond this machine, and keys are needed: \`ibatch keys DIR\` makes them, --keys DIR takes ` +
      "them; or reach it through an ssh tunnel of both its ports, PORT and PORT+1 under the same numbers",
  );
}
