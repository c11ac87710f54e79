import { expect, test } from 'vitest'
import { textRanges } from './process.ts'

test('text is what is mapped from a file and not written to', () => {
  const maps = [
    '00400000-00b74000 r--p 00000000 fe:00 1234                               /usr/bin/node',
    '00b74000-02200000 r-xp 00774000 fe:00 1234                               /usr/bin/node',
    '02300000-02310000 rw-p 01e00000 fe:00 1234                               /usr/bin/node',
    '05a00000-06000000 rw-p 00000000 00:00 0                                  [heap]',
    '7f1200000000-7f1200021000 ---p 00000000 00:00 0 ',
    '7f1234000000-7f1234001000 r-xp 00000000 00:00 0                          [vdso]',
    '7f1235000000-7f1235028000 r-xp 00028000 fe:00 99                         /lib/x86_64-linux-gnu/libc.so.6',
    '',
  ].join('\n')
  expect(textRanges(maps)).toEqual([
    { start: 0x400000n, length: 0x774000n },
    { start: 0xb74000n, length: 0x168c000n },
    { start: 0x7f1235000000n, length: 0x28000n },
  ])
})
