# SPDX-License-Identifier: Apache-2.0
"""Swift sources as text, for the lints that read them."""


def code(text):
    """The text without comments, and without the text of strings; their interpolations stay."""
    out = []
    index = 0
    while index < len(text):
        if text.startswith("//", index):
            end = text.find("\n", index)
            index = len(text) if end < 0 else end
        elif text.startswith("/*", index):
            end = text.find("*/", index)
            index = len(text) if end < 0 else end + 2
        elif text[index] == '"':
            quote = '"""' if text.startswith('"""', index) else '"'
            index, inner = string(text, index + len(quote), quote)
            out.append(f'" {inner} "')
        else:
            out.append(text[index])
            index += 1
    return "".join(out)


def string(text, index, quote):
    """The end of the string that begins before `index`, and the code of its interpolations."""
    inner = []
    while index < len(text) and not text.startswith(quote, index):
        if text.startswith("\\(", index):
            start, depth = index + 2, 1
            index = start
            while index < len(text) and depth:
                if text[index] == '"':
                    index, _ = string(text, index + 1, '"')
                    continue
                depth += {"(": 1, ")": -1}.get(text[index], 0)
                index += 1
            inner.append(code(text[start : index - 1]))
        else:
            index += 2 if text[index] == "\\" else 1
    return index + len(quote), " ".join(inner)
