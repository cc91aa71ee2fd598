import type { Problem, SourceFile } from './source-file.js'

interface BannedWord {
  readonly pattern: RegExp
  readonly where: RegExp
  readonly except?: RegExp
  /** Why it is banned and what to write instead. */
  readonly message: string
}

const EVERYWHERE = /^/
const PROGRAMS = /^(src|test|bench)\//
/** These files have to spell the words out. */
const OWN_FILES = /^test\/(support\/tidy\/|tidy\.test\.ts$)/

const BANNED_WORDS: readonly BannedWord[] = [
  {
    pattern: /\bprocess\.env\b/,
    where: PROGRAMS,
    except: /^src\/config\.ts$/,
    message:
      'The environment is read and checked once, in src/config.ts. Take the value from there.',
  },
  {
    pattern: /rejectUnauthorized:\s*false/,
    where: PROGRAMS,
    except: /^(test|src\/sandbox)\//,
    message: 'TLS is always verified. Give the private authority as `ca` instead.',
  },
  {
    pattern: /\bparseFloat\b|\.toFixed\(/,
    where: /^src\//,
    message: 'Floats round near money. Use the integer arithmetic and parsing of domain/money.ts.',
  },
  {
    pattern: /\bas any\b(?! \w)/,
    where: EVERYWHERE,
    message: 'A cast to any switches the compiler off. Narrow from unknown, or name the type.',
  },
  {
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    where: EVERYWHERE,
    message: 'A marker in the code is forgotten. Do it now, or open an issue.',
  },
  {
    pattern: /\b(?:test|it|describe)\.(?:only|skip|todo|fails)\b/,
    where: /^test\//,
    message: 'A test that is left out proves nothing. Repair it or remove it.',
  },
  {
    pattern: /@ts-(?:ignore|nocheck)|(?:eslint|oxlint)-disable/,
    where: EVERYWHERE,
    message: 'A silenced check hides the next mistake too. Mend what it found.',
  },
  {
    pattern: /(?:^|[^\w.~])\/(?:work|root|home\/\w+|Users\/\w+)\//,
    where: EVERYWHERE,
    message: 'A path of one machine does not exist on the next. Derive it from the clone.',
  },
]

/** Finds words that have a better replacement, each with the reason. */
export function checkBannedWords(file: SourceFile): Problem[] {
  if (OWN_FILES.test(file.path)) return []
  const rules = BANNED_WORDS.filter(
    ({ where, except }) => where.test(file.path) && except?.test(file.path) !== true,
  )
  return file.text
    .split('\n')
    .flatMap((text, index) =>
      rules
        .filter(({ pattern }) => pattern.test(text))
        .map(({ message }) => ({ path: file.path, line: index + 1, message })),
    )
}
