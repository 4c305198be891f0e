/** A rule that was broken. */
export class Broken extends Error {
  readonly invariant: string
  readonly run: string | undefined

  constructor(invariant: string, message: string, run?: string) {
    super(message)
    this.name = 'Broken'
    this.invariant = invariant
    this.run = run
  }
}
