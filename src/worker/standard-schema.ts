/**
 * A schema of any library that follows Standard Schema (https://standardschema.dev): zod, valibot, arktype and others. The interface
 * is copied, as the standard suggests, so that no library is needed for it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema says of a value. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] }

/** One complaint of a schema. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Asks a schema, and gives the value that it made or every complaint with its path, as `input.tags[2]: Expected a string`. */
export async function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  name: string,
): Promise<{ readonly ok: true; readonly value: Output } | { readonly ok: false; readonly complaints: string }> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return { ok: true, value: result.value }
  return { ok: false, complaints: result.issues.map((issue) => `${name}${pathOf(issue)}: ${issue.message}`).join('; ') }
}

function pathOf(issue: StandardIssue): string {
  return (issue.path ?? [])
    .map((segment) => (typeof segment === 'object' ? segment.key : segment))
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
}
