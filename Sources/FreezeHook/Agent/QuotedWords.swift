// SPDX-License-Identifier: Apache-2.0

/// The words of a line without their quotes, as the shell and systemd split it. To the shell `#` at the start of a word begins
/// a comment.
func quotedWords(_ line: String, endingAtComment: Bool = false) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in line {
        switch character {
        case "#" where endingAtComment && quote == nil && word == nil: return words
        case "\"" where quote != "'", "'" where quote != "\"":
            quote = quote == nil ? character : nil
            word = word ?? ""
        case " " where quote == nil, "\t" where quote == nil, "\n" where quote == nil:
            if let done = word { words.append(done) }
            word = nil
        default:
            word = (word ?? "") + String(character)
        }
    }
    if let word { words.append(word) }
    return words
}
