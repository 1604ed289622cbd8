// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The script that QEMU has for the path of the hook: it calls the executables of `fsfreeze-hook.d`, and nothing else.
enum StockScript {
    /// Whether a text does nothing but what QEMU's script does.
    ///
    /// Each of its lines has to stand in a version of the script that is known: Debian's of 7.2 and 10.0.13, QEMU's with
    /// the fallback to syslog, and the one that resolves links. Blanks, comments and the log's path may differ. A line that
    /// was added makes it somebody's own, and so does one of a version that is not known: that is told, and nothing is lost.
    static func isStock(_ text: [UInt8]) -> Bool {
        text.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
            let line = trimmed(line)
            return line.isEmpty || line.first == UInt8(ascii: "#") || isLogPath(line) || lines.contains(hash(line))
        }
    }

    private static func isLogPath(_ line: ArraySlice<UInt8>) -> Bool {
        let key = Array("LOGFILE=".utf8)
        let isPlain = { (byte: UInt8) in
            Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber
                || "/._-\"".utf8.contains(byte)
        }
        return line.starts(with: key) && line.dropFirst(key.count).allSatisfy(isPlain)
    }

    /// FNV-1a of 64 bits.
    static func hash(_ line: ArraySlice<UInt8>) -> UInt64 {
        line.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    // The hashes of the lines of these versions, without blanks at their ends, comments and the log's path.
    private static let lines: Set<UInt64> = [
        0x0246_78b5_c85d_44d4, 0x0898_5307_b541_c910,
        0x10f3_99f1_aca5_8277, 0x1526_91ea_d3c0_4ab6,
        0x156a_07e2_185f_8725, 0x19b1_27f7_6c10_fa70, 0x1b31_7cf2_36d7_a51e,
        0x2257_d6f9_f4f5_e7cb, 0x2694_b0ee_6954_7ccd,
        0x27a7_5eca_2aba_02ad, 0x2880_8097_eadd_1133, 0x3004_da60_4b66_c8cd,
        0x41f5_94a1_5c59_b023, 0x478b_f7e2_60a7_b83b,
        0x53f7_9c43_ccb0_5bb8, 0x621d_5cae_9ba1_4a94, 0x69ab_58a4_2c89_e375,
        0x6b05_b8a4_2daf_f23f, 0x6b92_4661_9d55_7292,
        0x7086_c5bb_c438_610c, 0x7c3f_683d_83ff_74b5, 0x7d00_059e_0701_b58e,
        0x7f2b_6c60_5332_dd30, 0x8981_e600_37fb_442b,
        0x9561_7caa_6a2c_401b, 0x99b6_cdce_4a97_f99b, 0xa1d2_df9e_26ac_242c,
        0xa280_5d47_ad43_43e4, 0xa581_2adf_a9a2_4422,
        0xa6d4_c9a4_6539_efd4, 0xaa87_b7a6_bad2_3476,
        0xaae9_affd_50cf_61a5, 0xadd8_6dd3_b0a5_497d,
        0xaf63_f04c_8602_0e88, 0xb8b2_2db5_1113_8e81, 0xb9a7_3a24_049c_3f9e,
        0xbc63_9960_760a_5941, 0xbf38_8d1d_718a_cb46,
        0xc9f7_07d2_926f_1aa2, 0xcb75_e83b_faf7_6335, 0xcc01_aec8_9cc4_92a0,
        0xd5ee_8aca_4b11_47a4, 0xd6c5_b4df_a24a_0d24,
        0xda17_e11d_e6bd_0b36, 0xdc51_fb67_61fd_6e91, 0xe426_2ce7_5d3d_1a7b,
        0xef20_4830_cbcd_b634, 0xf2fa_054e_2f3d_9cf3,
        0xf9f8_9abb_3007_37fb,
    ]
}
