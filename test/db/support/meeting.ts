/** A point that one side reaches and the other waits for. */
export interface Meeting {
  readonly arrive: () => void
  readonly met: Promise<void>
}

export function meeting(): Meeting {
  let arrive = (): void => undefined
  const met = new Promise<void>((resolve) => {
    arrive = resolve
  })
  return { arrive, met }
}
