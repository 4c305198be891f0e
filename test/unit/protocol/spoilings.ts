import type { Json } from '../../../src/protocol/index.ts'

/** The document with each of its parts replaced in turn, with the path of that part as JSON. */
export function* spoilings(document: Json, spoil: Json = { spoilt: [] }): Generator<readonly [string, Json]> {
  if (typeof document !== 'object' || document === null) return
  for (const [key, member] of Object.entries(document)) {
    const part = Array.isArray(document) ? Number(key) : key
    const put = (value: Json): Json =>
      Array.isArray(document)
        ? document.map((item: Json, index) => (index === part ? value : item))
        : { ...document, [key]: value }
    yield [JSON.stringify([part]), put(spoil)]
    for (const [path, inner] of spoilings(member ?? null, spoil)) {
      yield [JSON.stringify([part, ...(JSON.parse(path) as Json[])]), put(inner)]
    }
  }
}
