const long = 'a'.repeat(30)

/**
 * Patterns that make engines which backtrack take for ever, blow up compilers, or mean what a linear engine cannot do: each with whether it
 * can be used at all.
 */
export const evilPatterns: readonly (readonly [pattern: string, usable: boolean])[] = [
  // Nested and overlapping repetitions.
  ...[
    '(a+)+$', '(a*)*$', '(a|a)*$', '(a|aa)+$', '([a-z]+)*$', '(a+){10}$', '((a+)+)+$', '(((a*)*)*)*$', '(.*)*$', '(.+)+$', '(.*a){12}$',
    '(a|b|ab)*c', '(x+x+)+y', '(a?){30}a{30}', '^(a+)+b$', '(?:a+)+b', '(\\w+\\s?)*$', '(\\d+)*x', '([^x]*)*y', '(\\s*)*z', '(a+a+)+$',
    '(a{1,5}){1,5}$', '(a{0,9}){0,9}b', '((a|b)+)*c', '(ab|a)(bc|c)*d', '(a*a*a*a*a*a*)*b', 'a*a*a*a*a*a*a*a*b', '.*.*.*.*.*.*x',
    '(a|a|a|a|a|a)*$', '(aa|aab?)*$', '([a-zA-Z]+)*1', '(([a-z])+.)+[A-Z]([a-z])+$', '(a|[ab])+c', '(?i)(A+)+B', '(?s)(.+)+\\z!',
    '(?m)(^a+$\\n?)+b', '^(([a-z])+.)+x$', '(\\pL+)*\\d', '(?:(?:a{1,9}){1,9})b', '(?:.?){99}z',
  ].map((pattern) => [pattern, true] as const),
  // Patterns from the wild that were denials of service.
  ...[
    '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$',
    '^(\\/\\*[^*]*\\*+([^/*][^*]*\\*+)*\\/)+$', '(?:(?:\\"|\'|\\]|\\}|\\\\|\\d|(?:nan|infinity|true|false)\\b)*=.*)', '^\\s+|\\s+$', '\\s*#?\\s*$',
    '^(?:\\s|&nbsp;)*$', '(?:[a-z0-9!#$%&]+(?:\\.[a-z0-9!#$%&]+)*)@x', '<(\\w+)(?:\\s+\\w+="[^"]*")*\\s*>x', '(https?:\\/\\/)?([\\da-z.-]+)*\\/$',
    '^(?:[^"\\\\]|\\\\.)*"x$', '("(\\\\.|[^"\\\\])*"\\s*)+;', '(?:\\w*\\s*){20}!', '^(.*?,){11}P', '(.*?){9}x', '\\((.*)\\)*\\)x', '(-?\\d+,?)*!',
  ].map((pattern) => [pattern, true] as const),
  // Large ones.
  [long, true],
  [`(${long}|b)*c`, true],
  [`[${'a-z'.repeat(500)}]+!`, true],
  ['(' + 'a|'.repeat(2_000) + 'b)+c', true],
  ['a'.repeat(20_000), true],
  ['('.repeat(200) + 'a' + ')'.repeat(200) + '+b', true],
  ['(?:' + 'x?'.repeat(500) + ')y', true],
  ['a{1000}', true],
  ['[\\x{0}-\\x{10FFFF}]*!', true],
  ['\\p{Greek}+\\p{Cyrillic}*!', true],
  ['.{0,1000}!', true],
  ['(?:a{0,30}){0,30}!', true],
  // What a linear engine cannot do.
  ...['(?=a)b', '(?!a)b', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?P<n>a)(?P=n)', '(?>a+)b', 'a++b', 'a*+b', '(?(1)a|b)', '(?R)', '\\k<n>', '\\Ga', '(?#x)a'].map(
    (pattern) => [pattern, false] as const,
  ),
  // What is no pattern, or too much of one.
  ...[
    '(', ')', '[', '[z-a]', '*', '+a', '?', 'a**', 'a{2,1}', 'a{1001}', 'a{100000000}', '(a{1000}){1000}', '((a{100}){100}){100}', '\\', '\\p{Nonsense}',
    '[[:nonsense:]]', '(?z)a', '(?P<a>x)(?P<a>y)', '\\x{110000}', '[\\Q]\\E', '(?P<>a)', '\\8',
  ].map((pattern) => [pattern, false] as const),
] // prettier-ignore

/** Texts on which those patterns are at their worst. */
export function evilTexts(length: number): readonly string[] {
  const chunk = Math.floor(length)
  return [
    `${'a'.repeat(chunk)}!`,
    `${'ab'.repeat(chunk / 2)}\u0000`,
    `${'\t '.repeat(chunk / 2)}x`,
    `${'"\\"'.repeat(chunk / 3)}`,
    `${'1,2,'.repeat(chunk / 4)}Q`,
    `${'x@y.z<a b="c" '.repeat(chunk / 14)}`,
  ]
}
