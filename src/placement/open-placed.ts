/** Backends that a cluster holds, to work with as with any other. */
import { type Backend, type BackendOptions, openBackend } from "../backend/backend.js";
import { BackendLost, NothingListens } from "../backend/errors.js";
import { surroundingsError } from "../errors.js";
import type { PlacedBackend, Placing, RayCluster } from "./ray-cluster.js";

type Opening = Omit<BackendOptions, "url" | "credentials" | "python" | "userCode" | "mayComeBack">;

/**
 * Has the cluster hold a backend, and connects to it.
 * @throws IbatchError where there is none to be had; BackendLost where it was lost while we connected; Interrupted.
 */
export async function openPlaced(cluster: RayCluster, placing: Placing, opening: Opening): Promise<Backend> {
  const placed = await cluster.place(placing);
  const lost = placed.lost.then((why) => new BackendLost(why));
  try {
    const { client } = await Promise.race([connected(placed, opening), lost.then((error) => Promise.reject(error))]);
    void lost.then((error) => client.fail(error));
    const stop = async () => {
      client.close();
      await placed.release();
    };
    return { client, stop };
  } catch (error) {
    await placed.release();
    throw error;
  }
}

/** @throws IbatchError that says what has to be open between here and there. */
async function connected({ endpoint, credentials, node }: PlacedBackend, opening: Opening): Promise<Backend> {
  try {
    return await openBackend({ ...opening, url: endpoint, credentials });
  } catch (error) {
    if (!(error instanceof NothingListens)) throw error;
    throw surroundingsError(
      `the backend on node ${node} listens at ${endpoint}, and cannot be reached from here: all ports of the nodes have ` +
        "to be open to this machine, or `ibatch` has to run on one of the nodes",
    );
  }
}
