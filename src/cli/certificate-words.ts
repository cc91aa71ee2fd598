import type { CertificateImport, ClientCertificate } from '../wechat/certificates.js'

export type Language = 'en' | 'zh'

/** The outcome of an import with no more of the certificate than may be told. */
export type ToldImport =
  | Exclude<CertificateImport, { outcome: 'imported' }>
  | {
      readonly outcome: 'imported'
      readonly certificate: Pick<ClientCertificate, 'subject' | 'serialNumber' | 'notAfter'>
    }

/** One sentence about what became of a certificate; it holds none of the material. */
export function certificateSentence(result: ToldImport, language: Language): string {
  const [en, zh] = sentences(result)
  return language === 'zh' ? zh : en
}

function sentences(result: ToldImport): readonly [en: string, zh: string] {
  switch (result.outcome) {
    case 'imported': {
      const { subject, serialNumber, notAfter } = result.certificate
      const name = subject.replaceAll('\n', ', ')
      const day = notAfter.slice(0, 10)
      return [
        `The certificate was imported: ${name}; serial ${serialNumber}; good until ${day}.`,
        `证书已导入:${name};序列号 ${serialNumber};有效期至 ${day}。`,
      ]
    }
    case 'wrong_password':
      return [
        'The certificate file does not open: its password is the merchant number.',
        '证书文件无法打开:密码应为商户号。',
      ]
    case 'belongs_to':
      return [
        `The certificate belongs to merchant ${result.mchId}.`,
        `该证书属于商户 ${result.mchId}。`,
      ]
    case 'not_a_certificate':
      return ['This is not a certificate with its private key.', '这不是带有私钥的证书。']
    case 'expired':
      return [
        `The certificate expired on ${result.notAfter.slice(0, 10)}: apply for a new one.`,
        `证书已于 ${result.notAfter.slice(0, 10)} 过期,请申请新证书。`,
      ]
  }
}
