# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Install the Python package with pip, entry points in setup.cfg; colcon builds CMakeLists.txt."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = next(
    line.split("'")[1]
    for line in (HERE / 'loc3r_ros' / '__init__.py').read_text().splitlines()
    if line.startswith('__version__')
)

setup(
    name='loc3r_ros',
    version=VERSION,
    description='Pose, map and spatial answers for a robot with an RGB(-D) camera',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['loc3r_ros', 'loc3r_ros.*']),
    package_data={
        'loc3r_ros': [
            'py.typed',
            'bag/report/*.css',
            'bag/report/*.js',
            'tiny/MODEL_CARD.md',
            'tiny/cut3r.safetensors',
            'tiny/vlm/*',
        ]
    },
    # Presets, where nobody keeps the checkout; colcon installs them to the same place.
    data_files=[('share/loc3r_ros/engines', [str(p) for p in Path('engines').glob('*.yaml')])],
    install_requires=[
        'huggingface_hub>=0.30',
        'lz4>=4',
        'mcap>=1.2',
        'numpy>=1.24',
        'opencv-python-headless>=4.6',
        'pillow>=10',
        'psutil>=5.9',
        'rich>=13',
        'rosbags>=0.11.9',
        'ruamel.yaml>=0.18',
        'safetensors>=0.4',
        'scipy>=1.10',
        'small_gicp>=1.0',
        'tokenizers>=0.21',
        'torch>=2.6',
        'transformers>=4.51',
        'zstandard>=0.21',
    ],
    extras_require={
        'eval': ['evo>=1.28'],
        'bench': ['octomap-python>=1.8'],
        'quant': ['torchao>=0.18'],
        'engine': ['onnx>=1.17', 'onnxruntime>=1.20'],
        'train': ['accelerate>=1.0', 'matplotlib>=3.7', 'peft>=0.15', 'torch>=2.9'],
        # Below 9: the pytest plugin of ROS's launch_testing (to Jazzy at least) fails with it.
        'dev': [
            'hypothesis>=6',
            'mypy>=1.10',
            'omegaconf>=2.3',
            'pytest>=8,<9',
            'pyyaml>=6',
            'ruff>=0.6',
        ],
    },
)
