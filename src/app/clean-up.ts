/** Collects steps to undo and runs them in reverse order. */
export interface CleanUp {
  defer(undo: () => unknown): void
  /** Runs every step once, even if some fail; rejects at the end with the first failure. */
  run(): Promise<void>
}

export function createCleanUp(): CleanUp {
  const steps: (() => unknown)[] = []
  let running: Promise<void> | undefined

  async function undoAll(): Promise<void> {
    const failures: unknown[] = []
    for (let undo = steps.pop(); undo; undo = steps.pop()) {
      try {
        await undo()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  return {
    defer: (undo) => void steps.push(undo),
    run() {
      running ??= undoAll()
      return running
    },
  }
}
