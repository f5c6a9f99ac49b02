// One thing after another, some at a time, with progress; what fails is told at the end and stops nothing.

export async function runAll(items, work, { lanes = 4, signal, onProgress }) {
  const queue = [...items];
  const failures = [];
  let done = 0;
  const lane = async () => {
    while (queue.length && !signal.aborted) {
      const item = queue.shift();
      try {
        await work(item);
      } catch (error) {
        failures.push({ item, error });
      }
      done += 1;
      onProgress(done, items.length);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { done: done - failures.length, failures, left: queue.length };
}
