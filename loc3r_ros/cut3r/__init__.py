"""CUT3R: camera pose, point maps and tokens from a stream of images, with a persistent state.

encoder = PoseEncoder.load('cut3r_512_dpt_4_64.pth')    # images in, observations out
observation = encoder.observe(frame)

model = Cut3r(tiny('linear')); model.load_state_dict(weights)     # the bare network
outputs = list(forward_views(model.eval(), [View(image) for image in images]))
"""
