import { certificateSentence, type Language } from './certificate-words.js'
import type { Rotation } from './merchant-input.js'
import { rotateCredentials } from './merchant-rotate.js'
import { withSecrets } from './with-secrets.js'

/** Replaces an account's secrets and says what became of them; status 1 when nothing changed. */
export async function rotateAndTell(
  merchantId: string,
  rotation: Rotation,
  language: Language,
): Promise<0 | 1> {
  return withSecrets(async (database, envelope) => {
    const { mchId, certificate } = await rotateCredentials(database, envelope, merchantId, rotation)
    const isKept = certificate === undefined || certificate.outcome === 'imported'
    if (certificate !== undefined) {
      const sentence = `${certificateSentence(certificate, language)}\n`
      process[isKept ? 'stdout' : 'stderr'].write(sentence)
    }
    if (isKept && rotation.apiV2Key !== undefined) {
      process.stdout.write(
        language === 'zh'
          ? `商户 ${mchId} 的密钥已更换。\n`
          : `The key of ${mchId} was replaced.\n`,
      )
    }
    return isKept ? 0 : 1
  })
}
