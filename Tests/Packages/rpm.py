"""tbd"""
FILE_TESTS = []
def story(system, scratch):
    return []
