/** What `doctor` and `merchant verify` look at, one line each. */
export type CheckName =
  | 'clock'
  | 'backup-host'
  | 'notify-url'
  | 'proxy'
  | 'migrations'
  | 'roles'
  | 'master-key'
  | 'certificates'
  | 'webhooks'
  | 'namespace'
  | 'disk'
  | 'api-key'

/** One sentence in each language: what is fine, or what to do. */
export interface Words {
  readonly en: string
  readonly zh: string
}

export interface Finding {
  readonly check: CheckName
  readonly isFine: boolean
  readonly words: Words
}

export const fine = (check: CheckName, en: string, zh: string): Finding => ({
  check,
  isFine: true,
  words: { en, zh },
})

export const wrong = (check: CheckName, en: string, zh: string): Finding => ({
  check,
  isFine: false,
  words: { en, zh },
})

/** What was not looked at, because what it takes was not given: no reason for alarm. */
export const leftOut = (check: CheckName, variable: string): Finding =>
  fine(check, `Not looked at: ${variable} is not set.`, `未检查:未设置 ${variable}。`)
