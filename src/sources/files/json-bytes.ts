/** The bytes that JSON's structure is made of: no part of any longer character of UTF-8. */
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const LIST = 0x5b;
export const BACKSLASH = 0x5c;
export const END_OF_LIST = 0x5d;
export const OBJECT = 0x7b;
export const END_OF_OBJECT = 0x7d;
