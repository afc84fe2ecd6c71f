class ActionClient: pass
