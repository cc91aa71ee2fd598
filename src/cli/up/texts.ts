import type { ServiceName } from './supervisor.js'
import type { StepName } from './steps.js'

/** Everything that `yuanlu up` says, in one language. Amounts are in yuan. */
export interface Texts {
  readonly language: 'en' | 'zh'
  readonly services: Readonly<Record<ServiceName, string>>
  readonly steps: Readonly<Record<StepName, string>>
  readonly addresses: AddressTexts
  readonly life: LifeTexts
  readonly demo: DemoTexts
  readonly table: TableTexts
  readonly keys: KeyTexts
}

export interface AddressTexts {
  readonly api: string
  readonly temporalUi: string
  readonly cashier: string
  readonly portal: string
  readonly metrics: string
  readonly data: string
}

/** Starting, going on, and stopping. */
export interface LifeTexts {
  readonly starting: string
  readonly ready: (name: string, seconds: string) => string
  readonly alreadyRunning: (pid: number) => string
  readonly refusedInProduction: string
  readonly jsonNotWritable: string
  readonly dataNotUsable: string
  readonly goesOn: (payments: number, refunds: number) => string
  readonly restarted: (how: string, nth: number, most: number) => string
  readonly gaveUp: (how: string) => string
  readonly logEnd: (file: string) => string
  readonly stopping: string
  readonly stopped: (seconds: string) => string
}

export interface DemoTexts {
  readonly product: string
  readonly refundReason: string
  readonly requester: string
  readonly approver: string
  readonly typedReason: string
  readonly operatorReason: string
  readonly decisionReason: string
  readonly intro: (rate: number) => string
  readonly created: (outTradeNo: string, yuan: string) => string
  readonly placed: string
  readonly buyerPaid: (yuan: string, transactionId: string) => string
  readonly lost: string
  readonly asked: string
  readonly paid: (yuan: string) => string
  readonly requested: (outRefundNo: string, yuan: string) => string
  readonly pending: string
  readonly waiting: readonly string[]
  readonly seeIt: string
  readonly approvedByOperator: string
  readonly approvedByPerson: (name: string) => string
  readonly submitted: (serial: string) => string
  readonly accepted: (refundId: string) => string
  readonly notified: string
  readonly confirmed: string
  readonly done: (yuan: string) => string
  readonly rejected: (name: string) => string
  readonly verdictOk: (lines: number, sumYuan: string) => string
  readonly verdictRejected: string
  readonly verdictBad: (why: string) => string
  readonly stuck: (why: string) => string
}

/** The journal's lines as a table. */
export interface TableTexts {
  readonly rule: string
  readonly wechat: string
  readonly transit: string
  readonly sales: string
  readonly returns: string
  readonly other: string
  readonly sum: string
  readonly balance: string
  readonly rules: Readonly<Record<string, string>>
}

/** The keys, and what happens on them. */
export interface KeyTexts {
  readonly decide: string
  readonly footer: string
  readonly busy: string
  readonly payProduct: string
  readonly payHere: (yuan: string) => string
  readonly paidNow: (outTradeNo: string, yuan: string) => string
  readonly endedUnpaid: (outTradeNo: string, state: string) => string
  readonly scan: (yuan: string) => string
  readonly phoneNeedsLan: readonly string[]
  readonly curl: string
  readonly killIntro: readonly string[]
  readonly killPaid: (outTradeNo: string, yuan: string) => string
  readonly killApproved: (outRefundNo: string) => string
  readonly killed: (pid: number) => string
  readonly killRestarted: (pid: number) => string
  readonly killDone: (yuan: string) => string
  readonly killLog: string
  readonly killBook: (refunds: number, yuan: string) => string
  readonly failed: (why: string) => string
}
