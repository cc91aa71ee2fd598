import { Envelope } from '../../db/envelope.js'
import { accountsOf } from '../../db/merchants.js'
import { Database } from '../../db/pool.js'
import type { MerchantInput } from '../merchant-input.js'
import { addKey, addMerchant } from '../merchants.js'
import type { SandboxMerchant } from './sandbox-control.js'
import { readIfThere, writeSecret } from './stored-secret.js'

/** The demo's merchant, and the API keys of the two people who take part in a refund. */
export interface Shop {
  readonly merchantId: string
  readonly mchId: string
  /** Takes payments and asks for refunds. */
  readonly requesterKey: string
  /** Decides about refunds. */
  readonly approverKey: string
}

const MERCHANT_ID = 'demo-shop'
const SHOP_NAME = '原路小店'
/** What an approval typed into Temporal may release in the demo: 100.00 yuan. */
const OPERATOR_LIMIT_FEN = 10_000

const REQUESTER_SCOPES = ['payments:write', 'payments:read', 'refunds:request', 'refunds:read']
const APPROVER_SCOPES = ['refunds:decide', 'refunds:read']

export interface ShopOptions {
  readonly ownerUrl: string
  readonly masterKey: string
  readonly merchant: SandboxMerchant
  /** What it is called here; the demo's shop unless given. */
  readonly merchantId?: string
  /** What the engine's waits are multiplied by, because the sandbox's clock runs faster. */
  readonly timeScale: number
  /** Where the keys are kept, since the database knows only their hashes. */
  readonly file: string
}

/** Answers the shop of an earlier start, or opens it: one merchant, one account, two keys. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const known = await readIfThere(options.file)
  if (known !== undefined) return JSON.parse(known) as Shop
  const { ownerUrl: url } = options
  const database = new Database({ url, connectionsMax: 1, applicationName: 'yuanlu-up' })
  try {
    const shop = await addShop(database, options)
    await writeSecret(options.file, `${JSON.stringify(shop, undefined, 2)}\n`)
    return shop
  } finally {
    await database.close()
  }
}

async function addShop(database: Database, options: ShopOptions): Promise<Shop> {
  const { merchantId = MERCHANT_ID } = options
  // An interrupted first start may have made the merchant and not have kept the keys.
  const isKnown = (await accountsOf(database, merchantId)).length > 0
  const envelope = new Envelope(Buffer.from(options.masterKey, 'base64'))
  if (!isKnown) await addMerchant(database, envelope, merchantInput(options))
  const key = async (name: string, scopes: readonly string[]): Promise<string> =>
    (await addKey(database, { merchantId, name, scopes })).key
  return {
    merchantId,
    mchId: options.merchant.mchId,
    requesterKey: await key('demo-requester', REQUESTER_SCOPES),
    approverKey: await key('demo-approver', APPROVER_SCOPES),
  }
}

/** The certificate comes as merchants get it: a PKCS#12 file of the old kind. */
function merchantInput(options: ShopOptions): MerchantInput {
  const { merchant, timeScale, merchantId = MERCHANT_ID } = options
  return {
    id: merchantId,
    name: SHOP_NAME,
    operatorLimitFen: OPERATOR_LIMIT_FEN,
    account: {
      mode: 'sandbox',
      mchId: merchant.mchId,
      appIds: [merchant.appId],
      apiV2Key: merchant.apiV2Key,
      certificate: { p12Base64: merchant.p12Base64 },
      signType: 'HMAC-SHA256',
      shortName: SHOP_NAME,
      timeScale,
    },
  }
}
