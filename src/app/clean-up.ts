/** What has to be undone, in the reverse order of its doing. */
export interface CleanUp {
  defer(undo: () => unknown): void
  /** Undoes everything, once, also when a step fails; the first failure is thrown at the end. */
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
