/** What the shop of a seeded book sells, and what people say when they want their money back. */

export const GOODS = [
  '龙井茶 250g',
  '普洱熟茶饼 357g',
  '手工麻花礼盒',
  '山核桃仁 500g',
  '东北大米 5kg',
  '五常稻花香 10kg',
  '竹编收纳篮',
  '青瓷茶杯 一对',
  '蓝印花布围裙',
  '羊毛围巾',
  '儿童雨靴',
  '折叠晴雨伞',
  '护手霜三支装',
  '无火香薰',
  '蓝牙音箱',
  '充电宝 10000mAh',
  '机械键盘',
  '猫粮 2kg',
  '狗狗牵引绳',
  '多肉盆栽',
  '鲜花包月',
  '生日蛋糕 6寸',
  '门店咖啡券',
  '停车月卡',
] as const

export const REFUND_REASONS = [
  '七天无理由退货',
  '拍错了,想换一件',
  '商品破损',
  '少发了一件',
  '尺码不合适',
  '一直没有发货',
  '重复下单',
  '质量与描述不符',
  '价格保护退差价',
  '缺货退款',
] as const

export const DECISION_REASONS: Readonly<
  Record<'approve' | 'reject' | 'cancel', readonly string[]>
> = {
  approve: ['已收到退货', '客服核实属实', '缺货,同意退款', '价保差额已核对'],
  reject: ['商品已使用', '超过退货期限', '凭证不足'],
  cancel: ['买家撤销申请', '协商换货'],
}

/** Who asks in the shop, and who approves in the office. */
export const CLERKS = ['小周', '小吴', '阿芳', '阿强', '小林'] as const
export const APPROVERS = ['王经理', '财务李姐', '陈主管'] as const

/** Codes of the channel when it would not place an order. */
export const PLACING_REFUSALS = ['NOAUTH', 'APPID_MCHID_NOT_MATCH', 'PARAM_ERROR'] as const
