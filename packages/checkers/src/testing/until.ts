/** Resolves when the condition holds, looked at every few milliseconds; rejects, saying so, when it does not in time. */
export async function until(holds: () => boolean, patience = 8000): Promise<void> {
  const due = performance.now() + patience
  while (!holds()) {
    if (performance.now() > due) throw new Error(`not within ${patience} ms: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
