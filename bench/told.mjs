/** Our own errors say all in a line; others are bugs, and show where. */
export async function toldInALine(work) {
  try {
    await work();
  } catch (error) {
    if (error?.name !== "IbatchError") throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
