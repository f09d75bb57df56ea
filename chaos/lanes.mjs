// Tasks side by side.

/** Results in the order of the tasks. Where one throws, none is begun any more, and what is thrown is that, once all others have ended. */
export async function inLanes(lanes, tasks) {
  const results = [];
  let next = 0;
  const lane = async () => {
    while (next < tasks.length) {
      const at = next++;
      try {
        results[at] = await tasks[at]();
      } catch (error) {
        next = tasks.length;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const thrown = ends.find(({ status }) => status === "rejected");
  if (thrown !== undefined) throw thrown.reason;
  return results;
}
