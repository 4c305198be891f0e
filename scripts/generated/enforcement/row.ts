/** What the proof says of a field. */
export interface EnforcementRow {
  /** The rules that give the field its effect; the title of each test begins with one of them. */
  readonly rules: readonly string[]
  /** Beginnings of the titles of tests that fail when the effect is gone. Each names exactly one test. */
  readonly tests: readonly string[]
  /** For what is refused or confined: tests in which the same act succeeds where it is allowed. */
  readonly control?: readonly string[]
  /** What happens when the field cannot be enforced or met. What is refused begins with `refused`, and needs a control. */
  readonly otherwise: string
}

/** Rows by the paths of their fields. Fields with one effect share a row: their names stand behind each other, with blanks between. */
export type EnforcementRows = Readonly<Record<string, EnforcementRow>>

/** What a field that is always met says. */
export const always = 'always possible'
/** What a field says that the fleet writes and nobody asks for. */
export const written = 'always possible: the fleet writes it'

/** The rows of a type, written under the names of its fields: `'max_tokens max_seconds'` are two. */
export function rowsOf(type: string, rows: EnforcementRows): [string, EnforcementRow][] {
  return Object.entries(rows).flatMap(([names, row]) =>
    names.split(' ').map((name): [string, EnforcementRow] => [name === '' ? type : `${type}.${name}`, row]),
  )
}
