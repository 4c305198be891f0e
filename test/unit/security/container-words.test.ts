import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { imageProblem, isNetworkName, mountProblem, wordsProblem } from '../../../src/security/container-words.ts'

describe('words of a container', () => {
  test.each([
    'alpine',
    'alpine:3.20',
    'library/alpine',
    'docker.io/library/alpine:latest',
    'localhost/flotilla-test:1',
    'localhost:5000/a/b_c/d__e/f-g.h:V1_0',
    'REGISTRY.Example.org/team/image',
    `ghcr.io/a/b@sha256:${'0a'.repeat(32)}`,
    `ghcr.io/a/b:tag@sha256:${'0a'.repeat(32)}`,
  ])('SE6 %s is an image', (image) => {
    expect(imageProblem(image)).toBeUndefined()
  })

  test.each([
    ...['', '-v', '--privileged', 'Alpine', 'a b', 'a\n', ' a', 'a:', ':tag', 'a@sha256:00', 'a//b', '/a', 'a/', '../a', './a'],
    // Ways to name files of the host, which podman knows.
    ...['oci:/etc/image', 'dir:/etc', 'docker-archive:/tmp/a.tar', 'oci-archive:/tmp/a.tar:ref', 'docker://alpine'],
    ...['containers-storage:[overlay@/]a', 'http://a/b', 'a$(id)', 'a;b', "a'b", 'a%b', 'a\0', 'ä', '%h', `${'a'.repeat(600)}`],
  ])('SE6 %j is no image', (image) => {
    expect(imageProblem(image)).toBeTypeOf('string')
  })

  test('SE6 whatever is an image is one word without an option, white space or a sign of a shell', () => {
    const near = fc.stringMatching(/^[a-zA-Z0-9._:/@ -]{1,40}$/)
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (image) => {
        if (imageProblem(image) !== undefined) return
        expect(image).toMatch(/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/)
        expect(image).not.toMatch(/:\//)
      }),
      { numRuns: 5_000 },
    )
  })

  test('SE6 the longest words are judged at once', () => {
    const before = performance.now()
    for (const image of [
      'a-'.repeat(256),
      'a.'.repeat(256),
      'a/'.repeat(256),
      `${'a'.repeat(511)}!`,
      'a_'.repeat(256),
      '-'.repeat(512),
    ])
      imageProblem(image)
    expect(performance.now() - before).toBeLessThan(100)
  })

  test('SE6 a path that a container is shown has no colon and nothing invisible in it', () => {
    expect(mountProblem('/work/a b,c"d$(e)')).toBeUndefined()
    for (const path of ['/a:b', '/a\nb', '/a\0', 'relative', '', '/a\u007f'])
      expect(mountProblem(path), path).toBeTypeOf('string')
  })

  test('SE6 a network is one that the runtime has, and no other container’s', () => {
    for (const name of ['host', 'bridge', 'my_net-1.x']) expect(isNetworkName(name)).toBe(true)
    for (const name of ['container:abc', 'ns:/proc/1/ns/net', '-x', '', 'a b']) expect(isNetworkName(name)).toBe(false)
  })

  test('SE6 words of a command line are anything but a NUL', () => {
    expect(wordsProblem(['--', '', '$(id)', '\n'])).toBeUndefined()
    expect(wordsProblem(['a', 'b\0c'])).toBeTypeOf('string')
  })
})
