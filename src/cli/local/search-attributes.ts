/** The kinds of search attribute in use here, as the Temporal CLI spells them. */
export type SearchAttributeKind = 'Keyword' | 'Int' | 'Datetime'

/** The search attributes that the workflows set, with the types Temporal has to know them by. */
export const SEARCH_ATTRIBUTES: Readonly<Record<string, SearchAttributeKind>> = {
  YuanluMerchant: 'Keyword',
  YuanluPayment: 'Keyword',
  YuanluOrder: 'Keyword',
  YuanluRefund: 'Keyword',
  YuanluAttention: 'Keyword',
  YuanluAmountFen: 'Int',
  YuanluDueAt: 'Datetime',
}
