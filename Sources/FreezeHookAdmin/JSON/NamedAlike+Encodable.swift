// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import FreezeHookRecipes

extension NamedAlike: Encodable {
    private enum CodingKeys: CodingKey {
        case recipe, pid, name, user, why, further
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(recipe, forKey: .recipe)
        try container.encode(pid, forKey: .pid)
        try container.encode(SafeText.clean(name), forKey: .name)
        try container.encodeIfPresent(user.map { SafeText.clean($0) }, forKey: .user)
        try container.encode("\(doubt)", forKey: .why)
        try container.encode(further, forKey: .further)
    }
}
