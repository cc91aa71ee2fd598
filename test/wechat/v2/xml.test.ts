import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { readXml, XML_BYTES_MAX, XmlError } from '../../../src/wechat/v2/xml.js'
import type { XmlRefusal, XmlReadOptions } from '../../../src/wechat/v2/xml.js'
import { cutUtf8, writeXml, xmlText } from '../../../src/wechat/v2/xml-writer.js'
import { readFixture } from '../support/fixtures.js'

/** What the reader says to a document: its fields, or the reason of its refusal. */
function outcomeOf(input: string | Uint8Array, options?: XmlReadOptions): unknown {
  try {
    return Object.fromEntries(readXml(input, options))
  } catch (error) {
    if (error instanceof XmlError) return error.reason
    throw error
  }
}

const ACCEPTED: readonly (readonly [what: string, document: string, fields: object])[] = [
  ['an empty root', '<xml/>', {}],
  ['the inner document of a refund', '<root><a>1</a></root>', { a: '1' }],
  ['one declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<xml><a>1</a></xml>', { a: '1' }],
  ['a byte order mark', '\uFEFF<xml><a>1</a></xml>', { a: '1' }],
  [
    'numbers as text',
    '<xml><a>0100</a><b>1E5</b><c>0x1</c></xml>',
    { a: '0100', b: '1E5', c: '0x1' },
  ],
  ['spaces of a value', '<xml>\n <a> 1 </a>\t</xml>\n', { a: ' 1 ' }],
  ['empty elements', '<xml><a/><b></b><c><![CDATA[]]></c></xml>', { a: '', b: '', c: '' }],
  ['spaces in tags', '<xml ><a\n>1</a ><b /></xml\t>', { a: '1', b: '' }],
  ['predefined references', '<xml><a>&lt;&gt;&amp;&quot;&apos;</a></xml>', { a: '<>&"\'' }],
  ['numeric references', '<xml><a>&#65;&#x42;&#x1F600;</a></xml>', { a: 'AB😀' }],
  ['references decoded once', '<xml><a>&amp;lt;</a></xml>', { a: '&lt;' }],
  ['CDATA as it is', '<xml><a><![CDATA[<b>&amp;</b>]]></a></xml>', { a: '<b>&amp;</b>' }],
  ['CDATA among text', '<xml><a>1<![CDATA[<]]>2</a></xml>', { a: '1<2' }],
  ['split CDATA', '<xml><a><![CDATA[]]]]><![CDATA[>]]></a></xml>', { a: ']]>' }],
  ['a bare > in text', '<xml><a>1 > 0</a></xml>', { a: '1 > 0' }],
  ['line ends as line feeds', '<xml><a>1\r\n2\r3</a></xml>', { a: '1\n2\n3' }],
]

const REFUSED: readonly (readonly [what: string, document: string, reason: XmlRefusal])[] = [
  ['nothing', '', 'malformed'],
  ['no markup', 'SUCCESS', 'stray_text'],
  ['a document type', '<!DOCTYPE xml><xml/>', 'doctype'],
  ['an entity', '<!DOCTYPE xml [<!ENTITY a "1">]><xml><a>&a;</a></xml>', 'doctype'],
  ['a processing instruction', '<xml><?php echo 1 ?></xml>', 'processing_instruction'],
  ['a stylesheet', '<?xml-stylesheet href="a"?><xml/>', 'processing_instruction'],
  [
    'a second declaration',
    '<?xml version="1.0"?><?xml version="1.0"?><xml/>',
    'processing_instruction',
  ],
  ['a late declaration', '\n<?xml version="1.0"?><xml/>', 'processing_instruction'],
  ['another encoding', '<?xml version="1.0" encoding="GBK"?><xml/>', 'declaration'],
  ['another version', '<?xml version="1.1"?><xml/>', 'declaration'],
  ['a comment', '<xml><a>1<!-- 2 --></a></xml>', 'comment'],
  ['an attribute', '<xml><a b="1">1</a></xml>', 'attribute'],
  ['an attribute of the root', '<xml xmlns="urn:a"><a>1</a></xml>', 'attribute'],
  ['an attribute that hides an end', '<xml><a b="></a>">1</a></xml>', 'attribute'],
  ['a duplicate', '<xml><total_fee>1</total_fee><total_fee>100</total_fee></xml>', 'duplicate'],
  ['nesting', '<xml><a><b>1</b></a></xml>', 'nested'],
  ['text among elements', '<xml>1<a>1</a></xml>', 'stray_text'],
  ['CDATA among elements', '<xml><![CDATA[ ]]><a>1</a></xml>', 'stray_text'],
  ['CDATA after the root', '<xml><a>1</a></xml><![CDATA[1]]>', 'stray_text'],
  ['a reference among elements', '<xml>&#32;<a>1</a></xml>', 'stray_text'],
  ['a second byte order mark', '\uFEFF\uFEFF<xml/>', 'stray_text'],
  ['a late byte order mark', '<?xml version="1.0"?>\uFEFF<xml/>', 'stray_text'],
  ['text after the root', '<xml></xml>1', 'stray_text'],
  ['a reference after the root', '<xml></xml>&#65;', 'stray_text'],
  ['two roots', '<xml></xml><xml></xml>', 'malformed'],
  ['an unclosed element', '<xml><a>1</xml>', 'malformed'],
  ['an unclosed root', '<xml><a>1</a>', 'malformed'],
  ['crossed elements', '<xml><a><b></a></b></xml>', 'malformed'],
  ['an unclosed tag', '<xml><a>1</a></xml', 'malformed'],
  ['unclosed CDATA', '<xml><a><![CDATA[1</a></xml>', 'malformed'],
  ['unknown markup', '<xml><!ELEMENT a ANY></xml>', 'malformed'],
  ['another root', '<html><a>1</a></html>', 'wrong_root'],
  ['another case of the root', '<XML><a>1</a></XML>', 'wrong_root'],
  ['the end mark of CDATA in text', '<xml><a>1]]></a></xml>', 'cdata_end_in_text'],
  ['a control character', '<xml><a>\u0001</a></xml>', 'forbidden_character'],
  ['a control character in CDATA', '<xml><a><![CDATA[\0]]></a></xml>', 'forbidden_character'],
  ['a lone surrogate', '<xml><a>\uD800</a></xml>', 'forbidden_character'],
  ['an unknown reference', '<xml><a>&nbsp;</a></xml>', 'bad_reference'],
  ['a bare ampersand', '<xml><a>1 & 2</a></xml>', 'bad_reference'],
  ['a reference to a control character', '<xml><a>&#0;</a></xml>', 'bad_reference'],
  ['a reference to a surrogate', '<xml><a>&#xD800;</a></xml>', 'bad_reference'],
  ['a reference beyond Unicode', '<xml><a>&#x110000;</a></xml>', 'bad_reference'],
  ['the name __proto__', '<xml><__proto__>1</__proto__></xml>', 'bad_name'],
  ['the name constructor', '<xml><constructor>1</constructor></xml>', 'bad_name'],
  ['the name toString', '<xml><toString/></xml>', 'bad_name'],
  ['a name that is none', '<xml><1a>1</1a></xml>', 'bad_name'],
  ['a space before a name', '<xml>< a>1</a></xml>', 'bad_name'],
  ['a name with a colon', '<xml><a:b>1</a:b></xml>', 'bad_name'],
]

describe('Strict XML reader', () => {
  test.each(ACCEPTED)('accepts %s', (_, document, fields) => {
    expect(outcomeOf(document)).toEqual(fields)
    expect(outcomeOf(Buffer.from(document, 'utf8'))).toEqual(fields)
  })

  test.each(REFUSED)('refuses %s', (_, document, reason) => {
    expect(outcomeOf(document)).toBe(reason)
  })

  test.each([
    ['php_invalid.xxe_injection.sample.xml', 'doctype'],
    ['php_invalid.normal_404.sample.html', 'attribute'],
    ['php_fragment_injection.sample.xml', 'wrong_root'],
    ['php_invalid.bad_entity.sample.xml', 'malformed'],
  ])('refuses the published sample %s', (file, reason) => {
    expect(outcomeOf(readFixture(file))).toBe(reason)
  })

  test('refuses bytes that are not UTF-8', () => {
    const gbk = Buffer.concat([
      Buffer.from('<xml><a>'),
      Buffer.from([0xb2, 0xe2, 0xca, 0xd4]),
      Buffer.from('</a></xml>'),
    ])
    expect(outcomeOf(gbk)).toBe('not_utf8')
  })

  test('limits the size in bytes, not in characters', () => {
    const frame = '<xml><a></a></xml>'
    const fits = `<xml><a>${'支'.repeat((XML_BYTES_MAX - frame.length) / 3)}</a></xml>`
    expect(outcomeOf(fits)).toHaveProperty('a')
    expect(outcomeOf(`${fits}   `)).toBe('too_large')
    expect(outcomeOf(Buffer.from(`${fits}   `))).toBe('too_large')
    expect(outcomeOf(`${fits}   `, { bytesMax: XML_BYTES_MAX + 3 })).toHaveProperty('a')
  })

  test('takes only the roots it is told', () => {
    expect(outcomeOf('<root><a>1</a></root>', { roots: ['xml'] })).toBe('wrong_root')
  })

  test('throws nothing but its own error, and without any of the content', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<xml>',
        '</xml>',
        '<a>',
        '</a>',
        '<![CDATA[',
        ']]>',
        '<?',
        '?>',
        '<!--',
        '&',
        ';',
      ),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          readXml(pieces.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(XmlError)
          expect((error as Error).message).toMatch(/^The XML document is refused: [a-z0-9_]+\.$/)
        }
      }),
      { numRuns: 500 },
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof outcomeOf(bytes) !== 'undefined'))
  })
})

describe('XML writer', () => {
  const names = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/).filter((name) => !(name in {}))
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom(']]>', ']', '>', '<', '&', '\r', '\n', '\uD83D', '支', '\u0007'))
      .map((parts) => parts.join('')),
  )

  test('the reader gets back what was written, made safe', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, texts)), (entries) => {
        const fields = new Map(entries)
        const safe = new Map([...fields].map(([name, value]) => [name, xmlText(value)]))
        expect(readXml(writeXml(fields))).toEqual(safe)
      }),
    )
  })

  test('safe text is stable, and plain text stays as it is', () => {
    fc.assert(fc.property(texts, (text) => xmlText(xmlText(text)) === xmlText(text)))
    expect(xmlText('红烧肉 & <b>\t😀\n')).toBe('红烧肉 & <b>\t😀\n')
    expect(xmlText('a\u0000b\u0008c\uD800d\r\ne\rf\uFFFE')).toBe('abc\uFFFDd\ne\nf')
  })

  test('a name that is none is a mistake of ours', () => {
    expect(() => writeXml([['a b', '1']])).toThrow(TypeError)
  })

  test('cutting counts bytes and splits no character', () => {
    expect(cutUtf8('支付测试', 8)).toBe('支付')
    expect(cutUtf8('a😀', 4)).toBe('a')
    expect(cutUtf8('abc', 3)).toBe('abc')
    expect(cutUtf8('abcd', 3)).toBe('abc')
    expect(cutUtf8('a𠮷b', 5)).toBe('a𠮷')
    expect(cutUtf8('茶', 2)).toBe('')
  })
})
