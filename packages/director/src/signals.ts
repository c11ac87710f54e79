/** Signals that ask for something. */
const asking = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

export type AskingSignal = (typeof asking)[number]

/** What asks for something while the program is not ready to do it is done once, when it is. */
export interface Signals {
  on(signal: AskingSignal, act: () => void): void
}

/** Where signals come from. */
export interface SignalSource {
  on(signal: AskingSignal, listener: () => void): unknown
}

/**
 * From here on none of them does what it does by itself: end the program, or (SIGUSR1, Node.js) open a debugger to whoever is
 * on this machine.
 */
export function takeSignals(source: SignalSource = process): Signals {
  const acts = new Map<AskingSignal, () => void>()
  const waiting = new Set<AskingSignal>()
  for (const signal of asking) {
    source.on(signal, () => {
      const act = acts.get(signal)
      if (act === undefined) waiting.add(signal)
      else act()
    })
  }
  return {
    on(signal, act) {
      acts.set(signal, act)
      if (waiting.delete(signal)) act()
    },
  }
}
