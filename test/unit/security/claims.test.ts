import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claimsOf, overlap } from '../../../src/security/claims.ts'

const claims = (paths: readonly string[], { root, names }: { root?: string; names?: readonly string[] } = {}) =>
  claimsOf(
    {
      workspace: { ...(root !== undefined && { root }), required_files: [], writable_paths: [...paths] },
      metadata: names === undefined ? {} : { coordination_contracts: [...names] },
    },
    '/work',
  )!

describe('SC7', () => {
  it.each([
    [['a'], ['a/b'], '/work/a/b'],
    [['a/b/c'], ['a'], '/work/a/b/c'],
    [['.'], ['x/y'], '/work/x/y'],
    [['./a/'], ['a//b'], '/work/a/b'],
    [['src/**/*.ts'], ['src/lib'], '/work/src/lib'],
    [['*.md'], ['docs'], '/work/docs'],
    [['same'], ['other', 'same'], '/work/same'],
  ])('SC7 writable_paths %j and %j overlap', (a, b, both) => {
    expect(overlap(claims(a), claims(b))).toBe(both)
    expect(overlap(claims(b), claims(a))).toBe(both)
  })

  it.each([
    [['a'], ['b']],
    [['a'], ['ab']],
    [['a/b'], ['a/c']],
    [['src/**'], ['source']],
  ])('SC7 writable_paths %j and %j do not overlap', (a, b) => {
    expect(overlap(claims(a), claims(b))).toBeUndefined()
  })

  it('SC7 paths count under their root: equal paths under other roots are no overlap, other paths to one place are', () => {
    expect(overlap(claims(['out'], { root: 'one' }), claims(['out'], { root: 'two' }))).toBeUndefined()
    expect(overlap(claims(['out'], { root: 'one' }), claims(['one/out/x']))).toBe('/work/one/out/x')
    expect(overlap(claims(['out'], { root: '/work/one' }), claims(['one/out/x']))).toBe('/work/one/out/x')
  })

  it('SC7 a name in coordination_contracts is claimed by one at a time', () => {
    expect(overlap(claims([], { names: ['db', 'api'] }), claims([], { names: ['api'] }))).toBe('api')
    expect(overlap(claims([], { names: ['db'] }), claims([], { names: ['api'] }))).toBeUndefined()
  })

  it('SC7 a task that names neither claims nothing', () => {
    expect(claimsOf({ metadata: {} }, '/work')).toBeUndefined()
  })

  it('SC7 overlapping is mutual, and whoever claims all overlaps everyone', () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
    const paths = fc.array(path, { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        expect(overlap(claims(a), claims(b))).toBe(overlap(claims(b), claims(a)))
        expect(overlap(claims(['.']), claims(a))).toBeDefined()
        const naive = a.some((one) => b.some((two) => `${one}/`.startsWith(`${two}/`) || `${two}/`.startsWith(`${one}/`)))
        expect(overlap(claims(a), claims(b)) !== undefined).toBe(naive)
      }),
    )
  })
})
