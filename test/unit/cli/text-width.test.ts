import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, fit, oneLine, widthOf, withoutControls } from '../../../src/cli/text-width.ts'

describe('texts on a terminal', () => {
  it('SE6 nothing that a task says can steer the terminal', () => {
    expect(oneLine('\u001b[31mred\u001b[0m\u001b]0;title\u0007 and\r\n\u009bmore\u0008')).toBe('red and more')
    expect(withoutControls('a\tb\nc\u001b[2Jd\u202ee')).toBe('a\tb\ncd e')
    const controls = fc.string({
      unit: fc.constantFrom('\u001b', '[', ']', '2', 'J', 'm', '\u0007', '\r', '\n', 'a', '\u009b', '\\'),
    })
    fc.assert(fc.property(controls, (text) => !/\p{Cc}/u.test(oneLine(text))))
  })

  it('a cut text is never wider than its room, however wide its characters', () => {
    expect(cut('日本語の失敗', 7)).toBe('日本語…')
    expect(fit('ab', 4)).toBe('ab  ')
    expect(fit('ab', 4, 'right')).toBe('  ab')
    expect(cut('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
        expect(widthOf(cut(oneLine(text), width))).toBeLessThanOrEqual(width)
        expect(widthOf(fit(oneLine(text), width))).toBe(width)
      }),
    )
  })
})
